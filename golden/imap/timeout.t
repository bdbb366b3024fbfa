# Silence, and a log-in that does not come (RFC 9051 §5.4).

S~ * OK [CAPABILITY *] *
C: a NOOP
S: a OK NOOP completed
N: 301
C: b NOOP
S: * BYE No log-in came in time
E:
