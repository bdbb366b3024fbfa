# RFC 6710 §4.1: strangers may lower a priority and not raise it. RFC 4865 §4.2 (2): no FUTURERELEASE but on submission.
boxes: a@x.test
limits: errors=100
offers: mt-priority futurerelease

S~ 220 *
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250-MT-PRIORITY
S~ 250 AUTH *
C: MAIL FROM:<s@x.test> HOLDFOR=10
S~ 555 5.5.4 The parameter HOLDFOR is not known here; *
C: MAIL FROM:<s@x.test> BY=10;N
S~ 555 *
C: MAIL FROM:<s@x.test> MT-PRIORITY=5
S: 250 2.3.6 0 is the priority; who logs in may ask for a higher one
C: RSET
S~ 250 *
C: MAIL FROM:<s@x.test> MT-PRIORITY=-5
S~ 250 2.1.0 *
