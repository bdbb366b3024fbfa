# RFC 3206 §4: a message that can't be read, one that is damaged, one that is cut short, and a failing UPDATE.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
W: first message cut
C: RETR 1
S: -ERR [SYS/PERM] the message is damaged, ask the operator
W: reading fails
C: RETR 2
S: -ERR [SYS/TEMP] the message can't be read now, try again later
W: messages damaged
C: TOP 2 0
S: -ERR [SYS/PERM] the message is damaged, ask the operator
C: DELE 1
S: +OK message 1 deleted
W: removing fails
C: QUIT
S: -ERR [SYS/TEMP] some deleted messages not removed  # RFC 1939 §6
E:
