# RFC 6531: SMTPUTF8.
boxes: почта@пример.рф a@пример.рф
limits: errors=100

S~ 220 *
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S: 250-SMTPUTF8
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250 *
C: MAIL FROM:<почта@пример.рф>  # §3.5: 550 at MAIL
S: 550 5.6.7 An address beyond ASCII needs the SMTPUTF8 parameter
C: MAIL FROM:<s@x.test> SMTPUTF8=yes  # §3.4: no value
S: 501 5.5.4 SMTPUTF8 takes no value
C: MAIL FROM:<s@x.test>
S~ 250 *
C: RCPT TO:<почта@пример.рф>  # §3.5: 553 at RCPT
S: 553 5.6.7 An address beyond ASCII needs SMTPUTF8 in the MAIL command
C: RCPT TO:<a@xn--e1afmkfd.xn--p1ai>  # A-labels need no extension and name the same domain
S: 250 2.1.5 Recipient <a@xn--e1afmkfd.xn--p1ai> noted
C: RSET
S~ 250 *
C: MAIL FROM:<почта@пример.рф> SMTPUTF8 BODY=8BITMIME
S: 250 2.1.0 Sender <почта@пример.рф> noted
C: RCPT TO:<почта@пример.рф>
S: 250 2.1.5 Recipient <почта@пример.рф> noted
C: DATA
S~ 354 *
C: Subject: привет
C: .
S~ 250 2.0.0 *
W: with UTF8SMTP
W: trace is Received: from c.test ([192.0.2.7])\r\n	by mail.example.test with UTF8SMTP\r\n	id 4f1c9a7be2.1\r\n	for <почта@пример.рф>;\r\n	Tue, 14 Nov 2023 22:13:20 +0000\r\n
W: message is Subject: привет\r\n
