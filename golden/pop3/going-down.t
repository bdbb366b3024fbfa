# SIGTERM: what has come is answered, then each session is told (RFC 3206 §4: SYS/TEMP), also amid AUTH.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: AUTH LOGIN
S: + VXNlcm5hbWU6
D:
S: -ERR [SYS/TEMP] the server is going down, nothing was deleted
E:
S2: +OK POP3 server ready
D2:
S2: -ERR [SYS/TEMP] the server is going down, nothing was deleted
E2:
