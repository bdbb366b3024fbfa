# Lines that are none, and too many of them.
plaintext: yes
apop: no
errors_max: 10

S: +OK POP3 server ready
C:
S: -ERR unknown command
C< USER mrose\nPASS tanstaaf\r\n
S: -ERR lines end with CRLF, nothing else
# What stands behind the LF is no command: neither USER nor PASS was seen.
C: PASS tanstaaf
S: -ERR USER comes first
C< US\0ER x\r\n
S: -ERR not UTF-8 text
C< USER a\0b\r\n
S: -ERR not UTF-8 text
C< USER \{3000:x}\r\n
S: -ERR line too long
C: XTND XMIT
S: -ERR no XTND: send mail by SMTP submission
C: HELP me
S: +OK USER PASS APOP AUTH STLS UTF8 CAPA LANG STAT LIST UIDL RETR TOP DELE LAST NOOP RSET HELP QUIT; CAPA tells more
C: AUTH LOGIN
S: + VXNlcm5hbWU6
C< \{20000:A}\r\n
S: -ERR line too long
C: *
C: NOOP
S: -ERR unknown command
S: -ERR too many errors, closing
E:

# A line that does not end: told once, and given up after a MiB. One of 200,000 octets gets one answer.
S2: +OK POP3 server ready
C2< \{200000:x}\r\n
S2: -ERR line too long
C2: NOOP
S2~ -ERR *
C2< \{1000000:x}
S2: -ERR line too long
C2< \{100000:x}
S2: -ERR too many errors, closing
E2:
