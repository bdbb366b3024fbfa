# AUTHORIZATION ends after ten minutes, however busy the client seems; RFC 1939 §3: without any response.

S~ +OK POP3 server ready*
N: 590
C: CAPA
S: +OK Capability list follows
S~ TOP
S~ UIDL
S~ *
S~ *
S~ *
N: 20
C: CAPA
E:
