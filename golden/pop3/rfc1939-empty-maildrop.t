plaintext: yes
apop: no
drop: none

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
C: STAT
C: LIST
C: UIDL
C: RETR 1
C: LAST
C: QUIT
S: +OK now PASS
S: +OK mrose's maildrop has 0 messages (0 octets)
S: +OK 0 0
S: +OK 0 messages (0 octets)          # RFC 1939 App. A: LIST on an empty maildrop is a success
S: .
S: +OK unique-id listing follows
S: .
S: -ERR no such message, only 0 messages in maildrop
S: +OK 0
S: +OK dewey POP3 server signing off (maildrop empty)
E:
