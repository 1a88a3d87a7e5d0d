#!/bin/sh
# The twin's PostgreSQL in the foreground; made the first time: one user, one database, nobody without the password.
# Words: the folder of its programs, a folder of its own, the address to listen on, the file with the password.
set -e
programs=$1 data=$2/data address=$3 password=$4
if [ ! -e "$data" ]; then
  rm -rf "$data.new"
  "$programs/initdb" -D "$data.new" -U parvis -A scram-sha-256 --pwfile="$password" -E UTF8 --locale=C.UTF-8 --no-sync
  echo 'host parvis parvis all scram-sha-256' >>"$data.new/pg_hba.conf"
  echo 'CREATE DATABASE parvis' | "$programs/postgres" --single -D "$data.new" postgres >/dev/null
  mv "$data.new" "$data"
fi
exec "$programs/postgres" -D "$data" -c listen_addresses="$address" -c unix_socket_directories= -c shared_buffers=8MB
