# RFC 6856 §2.1, §5: UTF-8 in a header goes to clients that said UTF8; other octets pass as ever.
tls: implicit
apop: no
drop: utf8

S: +OK POP3 server ready
C: USER почта@пример.рф
C: PASS пароль
S: +OK now PASS                       # RFC 6856 §2.2
S: +OK mrose's maildrop has 3 messages (86 octets)
C: LIST 1
S: +OK 1 35
C: RETR 1
S: -ERR [UTF8] the message has UTF-8 in its header: use UTF8
C: TOP 1 0
S: -ERR [UTF8] the message has UTF-8 in its header: use UTF8
C: RETR 2
S: +OK 24 octets
S: Subject: x
S:
S: тело
S: .
C: RETR 3
S: +OK 27 octets
S< Subject: \xd0\xd2\xc9\xd7\xc5\xd4\r\n\r\nKOI8-R\r\n.\r\n
C: UTF8
S: -ERR only before log-in            # RFC 6856 §2: AUTHORIZATION only
C: QUIT
S: +OK dewey POP3 server signing off (3 messages left)
E:
S2: +OK POP3 server ready
C2: UTF8
S2: +OK UTF-8 enabled
C2< USER mrose\xff\r\n
S2: -ERR not UTF-8 text
C2: USER mrose
C2: PASS tanstaaf
C2: RETR 1
S2: +OK now PASS
S2: +OK mrose's maildrop has 3 messages (86 octets)
S2: +OK 35 octets
S2: Subject: привет
S2:
S2: тело
S2: .
C2: QUIT
S2: +OK dewey POP3 server signing off (3 messages left)
E2:
