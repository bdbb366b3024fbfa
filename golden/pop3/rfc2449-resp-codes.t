# RFC 2449 §8, RFC 3206: codes of everything that can go wrong around a maildrop.
plaintext: yes
apop: no

S: +OK POP3 server ready
W: log-in too soon
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [LOGIN-DELAY] too short a time since the last log-in
W: maildrop in use
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [IN-USE] another POP3 session has the maildrop
W: maildrop unavailable
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [SYS/TEMP] the maildrop can't be opened now, try again later
W: maildrop broken
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [SYS/PERM] the maildrop can't be opened, ask the operator
C: STAT
S: -ERR log in first                  # RFC 1939 §4: still AUTHORIZATION
W: directory unavailable
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [SYS/TEMP] no log-ins now, try again later
W: account not for POP3
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: -ERR [AUTH] this account or password is not for POP3
C: QUIT
S: +OK dewey POP3 server signing off
E:
