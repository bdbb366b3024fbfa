# RFC 2595 §4, and what others got wrong: text in clear behind STLS must not count inside TLS.
tls: starttls

S~ +OK POP3 server ready <*>
C: USER mrose
S: -ERR no passwords in clear: start TLS first
C: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm
S: -ERR no passwords in clear: start TLS first
C: STLS now
S: -ERR wrong arguments
C: STLS
C: USER mrose
C: PASS tanstaaf
S: +OK begin TLS negotiation
T:
C: PASS tanstaaf
S: -ERR USER comes first              # neither USER nor PASS came through
C: STLS
S: -ERR TLS is active already
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
C: STLS
S: -ERR only before log-in
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
# Half a command in clear, completed inside TLS.
S2~ +OK POP3 server ready <*>
C2< STLS\r\nQUI
S2: +OK begin TLS negotiation
T2:
C2< T\r\n
S2: -ERR unknown command
C2: QUIT
S2: +OK dewey POP3 server signing off
E2:
