# RFC 5321 appendix D.1: mail to three, of whom one does not exist. Texts are ours, codes the RFC's.
hostname: foo.com
boxes: Jones@foo.com Brown@foo.com

S: 220 foo.com ESMTP Troika
C: EHLO bar.com
S: 250-foo.com greets bar.com
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-HELP
S: 250-SIZE 52428800
S: 250-LIMITS RCPTMAX=1000 MAILMAX=10000
S~ 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5  # no plaintext mechanism without TLS (RFC 4954 §4)
C: MAIL FROM:<Smith@bar.com>
S: 250 2.1.0 Sender <Smith@bar.com> noted
C: RCPT TO:<Jones@foo.com>
S: 250 2.1.5 Recipient <Jones@foo.com> noted
C: RCPT TO:<Green@foo.com>
S: 550 5.1.1 <Green@foo.com> does not exist here; check the spelling of the address
C: RCPT TO:<Brown@foo.com>
S: 250 2.1.5 Recipient <Brown@foo.com> noted
C: DATA
S: 354 Start mail input; end with <CRLF>.<CRLF>  # RFC 2034 §3: no enhanced code in a 3yz reply
C: Blah blah blah...
C: ...etc. etc. etc.
C: .
S: 250 2.0.0 Message taken, id 4f1c9a7be2.1
W: envelope <Smith@bar.com> to Jones@foo.com Brown@foo.com
# §4.5.2: one of the leading dots was the client's stuffing.
W: message is \r\nBlah blah blah...\r\n..etc. etc. etc.\r\n
# §7.2: no FOR with two recipients.
W: trace is Received: from bar.com ([192.0.2.7])\r\n	by foo.com with ESMTP\r\n	id 4f1c9a7be2.1;\r\n	Tue, 14 Nov 2023 22:13:20 +0000\r\n
C: QUIT
S: 221 2.0.0 foo.com says good-bye
E:
