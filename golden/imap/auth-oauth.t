# OAUTHBEARER (RFC 7628 §4) and XOAUTH2: tokens only under TLS; a refusal is a challenge in JSON.
tls: starttls
mechanisms: OAUTHBEARER XOAUTH2

S~ * OK [CAPABILITY * STARTTLS LOGINDISABLED] *
C: a AUTHENTICATE OAUTHBEARER bixhPWpvZUBleGFtcGxlLnRlc3QsAWhvc3Q9bWFpbC5leGFtcGxlLnRlc3QBcG9ydD0xNDMBYXV0aD1CZWFyZXIgZ29vZAEB  # RFC 7628 §4: never without TLS
S: a NO [PRIVACYREQUIRED] Start TLS before sending a password
C: b STARTTLS
S: b OK Begin TLS negotiation now
T:
C: c CAPABILITY
S~ * CAPABILITY * AUTH=OAUTHBEARER AUTH=XOAUTH2
S: c OK CAPABILITY completed
C: d AUTHENTICATE OAUTHBEARER bixhPWpvZUBleGFtcGxlLnRlc3QsAWhvc3Q9bWFpbC5leGFtcGxlLnRlc3QBcG9ydD0xNDMBYXV0aD1CZWFyZXIgYmFkAQE=
S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=
C: AQ==  # RFC 7628 §3.2.3: the client's dummy answer
S: d NO [AUTHENTICATIONFAILED] The token is not good for this account
C: e AUTHENTICATE XOAUTH2
S: + 
C: dXNlcj1qb2VAZXhhbXBsZS50ZXN0AWF1dGg9QmVhcmVyIGJhZAEB
S: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
C< \r\n
S: e NO [AUTHENTICATIONFAILED] The token is not good for this account
C: f AUTHENTICATE OAUTHBEARER bm9uc2Vuc2U=
S: f BAD The mechanism's rules were broken
C: g AUTHENTICATE XOAUTH2 dXNlcj1qb2VAZXhhbXBsZS50ZXN0AWF1dGg9QmVhcmVyIGdvb2QBAQ==
S~ g OK [CAPABILITY *] AUTHENTICATE completed
