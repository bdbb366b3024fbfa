# RFC 5034: AUTH with every mechanism, and its refusals.
tls: implicit
apop: no

S: +OK POP3 server ready
C: AUTH
S: +OK mechanisms follow              # not in the RFC; old clients ask so
S: SCRAM-SHA-256
S: SCRAM-SHA-1
S: CRAM-MD5
S: PLAIN
S: LOGIN
S: .
C: AUTH GSSAPI
S: -ERR no such mechanism
C: AUTH PLAIN
S< + \r\n
C: *
S: -ERR cancelled                     # RFC 5034 §4
C: AUTH PLAIN =AAA
S: -ERR the response is not what the mechanism wants  # RFC 5034 §4: pad only at the end
C: AUTH PLAIN =
S: -ERR the response is not what the mechanism wants  # an empty response is none of PLAIN's
C: AUTH CRAM-MD5 AG1yb3NlAHRhbnN0YWFm
S: -ERR the response is not what the mechanism wants  # RFC 5034 §4: server-first
C: AUTH PLAIN
S< + \r\n
C: AG1yb3NlAHdyb25n
S: -ERR [AUTH] wrong name or password
C: AUTH LOGIN
S: + VXNlcm5hbWU6
C: bm9ib2R5
S: + UGFzc3dvcmQ6
C: dGFuc3RhYWY=
S: -ERR [AUTH] wrong name or password
C: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm
S: +OK mrose's maildrop has 2 messages (320 octets)
C: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm
S: -ERR only before log-in            # RFC 5034 §4
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
S2: +OK POP3 server ready
C2: AUTH PLAIN
C2: AG1yb3NlAHRhbnN0YWFm
S2< + \r\n
S2: +OK mrose's maildrop has 2 messages (320 octets)
C2: QUIT
S2: +OK dewey POP3 server signing off (2 messages left)
E2:
S3: +OK POP3 server ready
C3: AUTH LOGIN bXJvc2U=
S3: + UGFzc3dvcmQ6
C3: dGFuc3RhYWY=
S3: +OK mrose's maildrop has 2 messages (320 octets)
C3: QUIT
S3: +OK dewey POP3 server signing off (2 messages left)
E3:
