# SCRAM-SHA-256-PLUS (RFC 5802 §6, RFC 9266): offered where TLS has an exporter, and whoever says that it was not is refused.
tls: implicit
exporter: 0123456789abcdef0123456789abcdef

S~ * OK [CAPABILITY * AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-256 *] *
C: a AUTHENTICATE SCRAM-SHA-256-PLUS biwsbj1qb2Uscj1hYmM=  # RFC 5802 §6: the -PLUS mechanism needs p=
S: a BAD The mechanism's rules were broken
C: b AUTHENTICATE SCRAM-SHA-256-PLUS cD10bHMtdW5pcXVlLCxuPWpvZSxyPWFiYw==
S: b BAD The mechanism's rules were broken
C: c AUTHENTICATE SCRAM-SHA-256 cD10bHMtZXhwb3J0ZXIsLG49am9lLHI9YWJj
S: c BAD The mechanism's rules were broken
