# RFC 5321 appendix D.2: RSET drops the transaction.
hostname: foo.com
boxes: Jones@foo.com

S: 220 foo.com ESMTP Troika
C: HELO bar.com
S: 250 foo.com greets bar.com
C: MAIL FROM:<Smith@bar.com>
S: 250 2.1.0 Sender <Smith@bar.com> noted
C: RCPT TO:<Jones@foo.com>
S: 250 2.1.5 Recipient <Jones@foo.com> noted
C: RCPT TO:<Green@foo.com>
S~ 550 5.1.1 *
C: RSET
S: 250 2.0.0 Reset
C: DATA  # §4.1.1.5: all buffers are cleared
S: 503 5.5.1 MAIL and RCPT have to come before DATA
C: QUIT
S: 221 2.0.0 foo.com says good-bye
E:
