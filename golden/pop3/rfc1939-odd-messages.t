# Messages without octets, without an end of line, with nothing but a dot, without a header.
plaintext: yes
apop: no
drop: odd

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 4 messages (30 octets)
C: RETR 1
S: +OK 0 octets
S: .
C: TOP 1 5
S: +OK top of message follows
S: .
C: RETR 2
S: +OK 14 octets
S: no end of line
S: .                                  # RFC 1939 §3: each line is ended by CRLF
C: RETR 3
S: +OK 3 octets
S: ..
S: .
C: RETR 4
S: +OK 13 octets
S:
S:
S: body
S: ..
S: .
C: TOP 4 1
S: +OK top of message follows
S:
S:
S: .
C: QUIT
S: +OK dewey POP3 server signing off (4 messages left)
E:
