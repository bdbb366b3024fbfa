# LAST (RFC 1460): the highest message-number accessed, over sessions; RSET takes this session's share back.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
C: LAST
S: +OK 0
C: RETR 1
S: +OK 120 octets
S: From: mrose
S: Subject: one
S:
S: ..
S: ...dots
S:
S~ xx*
S: .
C: LAST
S: +OK 1
C: RSET
S: +OK maildrop has 2 messages (320 octets)
C: LAST
S: +OK 0
C: TOP 2 0
S: +OK top of message follows
S: From: mrose
S: Subject: two
S:
S: .
C: LAST
S: +OK 0                              # TOP is not yet reading it
C: RETR 1
S: +OK 120 octets
S: From: mrose
S: Subject: one
S:
S: ..
S: ...dots
S:
S~ xx*
S: .
C: LAST
S: +OK 1
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
S2: +OK POP3 server ready
C2: USER mrose
C2: PASS tanstaaf
C2: LAST
C2: QUIT
S2: +OK now PASS
S2: +OK mrose's maildrop has 2 messages (320 octets)
S2: +OK 1
S2: +OK dewey POP3 server signing off (2 messages left)
E2:
