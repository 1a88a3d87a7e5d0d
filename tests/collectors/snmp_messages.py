"""Any SNMP variable binding and message, for Hypothesis."""

from hypothesis import strategies as st

from collectors.snmp import ber
from collectors.snmp.pdu import Kind, Pdu

SUBIDENTIFIERS = st.lists(st.integers(0, 2**32 - 1), max_size=20)
NAMES = st.builds(
    lambda top, second, rest: ber.encode_index((top * 40 + second, *rest)),
    st.integers(0, 1),
    st.integers(0, 39),
    SUBIDENTIFIERS,
)
VARBINDS = st.one_of(
    st.tuples(NAMES, st.just(ber.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(NAMES, st.sampled_from([ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS]), st.integers(0, 2**32 - 1)),
    st.tuples(NAMES, st.just(ber.COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(NAMES, st.sampled_from([ber.OCTET_STRING, ber.OPAQUE]), st.binary(max_size=300)),
    st.tuples(NAMES, st.just(ber.IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.tuples(NAMES, st.just(ber.OBJECT_IDENTIFIER), NAMES),
    st.tuples(NAMES, st.sampled_from(sorted(ber.VALUELESS)), st.none()),
)
PDUS = st.builds(
    Pdu,
    st.sampled_from(list(Kind)),
    st.integers(1, 2**31 - 1),
    st.integers(0, 18),
    st.integers(0, 1000),
    st.lists(VARBINDS, max_size=12),
)
