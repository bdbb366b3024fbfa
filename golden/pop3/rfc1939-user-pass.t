plaintext: yes

S~ +OK POP3 server ready <*>
C: USER nobody
S: +OK now PASS                       # RFC 1939 §13: every name is welcome
C: PASS tanstaaf
S: -ERR [AUTH] wrong name or password  # RFC 3206 §5
C: PASS tanstaaf
S: -ERR USER comes first              # RFC 1939 §7: PASS immediately after USER
C: USER mrose
S: +OK now PASS
C: CAPA x
S: -ERR wrong arguments
C: PASS tanstaaf
S: -ERR USER comes first
C: USER mrose
S: +OK now PASS
C: PASS secret
S: -ERR [AUTH] wrong name or password
C: STAT
S: -ERR log in first                  # RFC 1939 §3: -ERR in the wrong state
C: USER mrose
S: +OK now PASS
C: PASS tan  staaf 
S: +OK mrose's maildrop has 2 messages (320 octets)
# RFC 1939 §7: spaces in the argument of PASS are part of the password, as were those just now.
C: USER mrose
S: -ERR only before log-in
C: PASS tanstaaf
S: -ERR only before log-in
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
