# AUTHORIZATION ends after ten minutes, however busy the client seems; RFC 1939 §3: without any response.
plaintext: yes

S~ +OK POP3 server ready*
N: 590
C: USER x
S: +OK now PASS
N: 20
C: USER y
E:
