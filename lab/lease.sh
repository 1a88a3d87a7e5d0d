#!/bin/sh
# udhcpc's script: take the lease as a phone does. $PARVIS_LEASE and $PARVIS_RESOLVER are this resident's own files.
case "$1" in
deconfig)
    ip -4 address flush dev "$interface"
    ip link set dev "$interface" up
    : > "$PARVIS_LEASE"
    ;;
bound | renew)
    ip -4 address replace "$ip/$mask" broadcast + dev "$interface"
    for hop in $router; do
        ip -4 route replace default via "$hop" dev "$interface"
        break
    done
    for server in $dns; do echo "nameserver $server"; done > "$PARVIS_RESOLVER"
    # Option 114 (RFC 8910) arrives as hexadecimal digits.
    printf 'ip=%s\nrouter=%s\ndns=%s\nopt114=%s\nlease=%s\n' "$ip" "$router" "$dns" "$opt114" "$lease" > "$PARVIS_LEASE"
    ;;
esac
