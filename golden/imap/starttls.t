# STARTTLS (RFC 9051 §6.2.1): nothing said in clear counts inside TLS; no password in clear.
tls: starttls

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret  # LOGINDISABLED, RFC 3501 §6.2.3
S: a NO [PRIVACYREQUIRED] Start TLS before sending a password
C: b AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=
S: b NO [PRIVACYREQUIRED] Start TLS before sending a password
C: c STARTTLS
S: c OK Begin TLS negotiation now
T:
C: d LOGIN joe secret
S~ d OK [CAPABILITY *] *
C: e STARTTLS  # RFC 9051 §6.2.1
S: e BAD STARTTLS is not allowed after the log-in
