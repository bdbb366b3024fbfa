# The operator may have UTF-8 headers sent to everybody.
tls: implicit
apop: no
drop: utf8
utf8_header: send

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
C: TOP 1 0
C: QUIT
S: +OK now PASS
S: +OK mrose's maildrop has 3 messages (86 octets)
S: +OK top of message follows
S: Subject: привет
S:
S: .
S: +OK dewey POP3 server signing off (3 messages left)
E:
