tls: starttls

S~ +OK POP3 server ready <*>
C: UTF8
S: +OK UTF-8 enabled
C: STLS
S: -ERR STLS comes before UTF8        # RFC 6856 §2.1
C: QUIT
S: +OK dewey POP3 server signing off
E:
