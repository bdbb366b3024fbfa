# RFC 5321 appendix D.3, step 2: the message comes from a relay and keeps every octet behind our trace field.
hostname: xyz.com
boxes: Jones@xyz.com

S: 220 xyz.com ESMTP Troika
C: HELO foo.com
S: 250 xyz.com greets foo.com
C: MAIL FROM:<JQP@bar.com>
S~ 250 *
C: RCPT TO:<Jones@XYZ.COM>  # §2.4: domains know no case
S: 250 2.1.5 Recipient <Jones@xyz.com> noted
C: DATA
S~ 354 *
C: Return-Path: <somebody@else.test>  # §4.4: the final delivery will write its own
C: Received: from bar.com by foo.com ; Thu, 21 May 1998
C:     05:33:29 -0700
C: From: John Q. Public <JQP@bar.com>
C: Subject:  The Next Meeting of the Board
C: To: Jones@xyz.com
C:
C: Bill:
C:                         John.
C: .
S: 250 2.0.0 Message taken, id 4f1c9a7be2.1
W: message is Received: from bar.com by foo.com ; Thu, 21 May 1998\r\n    05:33:29 -0700\r\nFrom: John Q. Public <JQP@bar.com>\r\nSubject:  The Next Meeting of the Board\r\nTo: Jones@xyz.com\r\n\r\nBill:\r\n                        John.\r\n
# HELO, so `with SMTP` (RFC 3848); one recipient, so FOR.
W: trace is Received: from foo.com ([192.0.2.7])\r\n	by xyz.com with SMTP\r\n	id 4f1c9a7be2.1\r\n	for <Jones@xyz.com>;\r\n	Tue, 14 Nov 2023 22:13:20 +0000\r\n
C: QUIT
S~ 221 *
E:
