# RFC 1939 §4: the maildrop is locked against other POP3 sessions; every end gives it back.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
C: DELE 1
S: +OK message 1 deleted
S2: +OK POP3 server ready
C2: USER mrose
C2: PASS tanstaaf
S2: +OK now PASS
S2: -ERR [IN-USE] another POP3 session has the maildrop  # RFC 2449 §8.1.2
# RFC 1939 §3: on autologout nothing is removed and nothing is said.
L:
E:
C2: USER mrose
C2: PASS tanstaaf
S2: +OK now PASS
S2: +OK mrose's maildrop has 2 messages (320 octets)
C2: DELE 2
S2: +OK message 2 deleted
# The server goes down: after what has come, nothing is removed.
C2: NOOP
S2: +OK
D2:
S2: -ERR [SYS/TEMP] the server is going down, nothing was deleted  # RFC 3206 §4
E2:
S3: +OK POP3 server ready
C3: USER mrose
C3: PASS tanstaaf
S3: +OK now PASS
S3: +OK mrose's maildrop has 2 messages (320 octets)
W3: imap removes the first message
C3: RETR 1
S3: -ERR the message was removed by another session
C3: DELE 1
S3: +OK message 1 deleted
C3: QUIT
S3: +OK dewey POP3 server signing off (1 message left)
E3:
