# RFC 2920: one reply to each command, in order, whatever was sent together.
boxes: a@x.test b@x.test
limits: errors=100

S~ 220 *
C: HELO c.test
S~ 250 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: RCPT TO:<nobody@x.test>
C: RCPT TO:<b@x.test>
C: DATA
S: 250 2.1.0 Sender <s@x.test> noted
S: 250 2.1.5 Recipient <a@x.test> noted
S~ 550 5.1.1 <nobody@x.test> *
S: 250 2.1.5 Recipient <b@x.test> noted
S~ 354 *
# §3.1: the content may be the first of a group, with the next transaction behind it.
C: Subject: 1
C:
C: .
C: MAIL FROM:<s@x.test>
C: RCPT TO:<nobody@x.test>
C: DATA
S: 250 2.0.0 Message taken, id 4f1c9a7be2.1
S~ 250 2.1.0 *
S~ 550 5.1.1 *
S: 554 5.5.1 No recipient was accepted, so there is nobody to send the message to
C: RSET
C: MAIL FROM:<banned@x.test>
C: RCPT TO:<a@x.test>
C: DATA
C: QUIT
S: 250 2.0.0 Reset
S: 550 5.7.1 <banned@x.test> is not welcome here
S: 503 5.5.1 MAIL has to come before RCPT
S: 503 5.5.1 MAIL and RCPT have to come before DATA
S~ 221 *
E:
