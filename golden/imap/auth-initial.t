# AUTHENTICATE with an initial response (RFC 4959), LOGIN with literals (RFC 3501 §4.3, RFC 7888).

S~ * OK [CAPABILITY *] *
C: a AUTHENTICATE LOGIN
S: + VXNlcm5hbWU6
C: am9l
S: + UGFzc3dvcmQ6
C: d3Jvbmc=
S: a NO [AUTHENTICATIONFAILED] Wrong name or password
C: b LOGIN {3}
S: + Ready for literal data
C: joe {6}
S: + Ready for literal data
C: wrong!
S: b NO [AUTHENTICATIONFAILED] Wrong name or password
C: c AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=
S~ c OK [CAPABILITY *] *
