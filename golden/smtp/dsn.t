# RFC 3461: DSN parameters.
boxes: a@x.test b@x.test c@x.test
limits: errors=100

S~ 220 *
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S: 250-DSN
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250 *
C: MAIL FROM:<s@x.test> RET=SOME
S: 501 5.5.4 RET takes FULL or HDRS
C: MAIL FROM:<s@x.test> RET=HDRS ENVID=QQ314159+20x  # §4.3, §4.4
S~ 250 *
C: RCPT TO:<a@x.test> NOTIFY=NEVER,DELAY  # §4.1: NEVER stands alone
S: 501 5.5.4 NOTIFY takes NEVER alone, or a list of SUCCESS, FAILURE and DELAY with commas
C: RCPT TO:<a@x.test> NOTIFY=SUCCESS NOTIFY=DELAY
S: 501 5.5.4 The parameter NOTIFY is given twice
C: RCPT TO:<a@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Carol+2BTag@Ivory.EDU  # §4.2, xtext §4
S~ 250 *
C: RCPT TO:<b@x.test> NOTIFY=NEVER
S~ 250 *
C: RCPT TO:<c@x.test> ORCPT=utf-8;\x{43F}@x.test  # RFC 6533 §3
S~ 250 *
C: RCPT TO:<c@x.test> ORCPT=Carol@Ivory.EDU
S~ 501 5.5.4 *
C: DATA
S~ 354 *
C: .
S~ 250 *
W: dsn Some(Headers) Some("QQ314159 x") [Success+Delay rfc822;Carol+Tag@Ivory.EDU] [never ] [default utf-8;п@x.test]
