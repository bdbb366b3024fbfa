# RFC 5321 §4.1.4: the order of commands; §4.3.2: arguments where none belong; §4.1.1: unknown and obsolete ones.
boxes: a@x.test
limits: errors=100

S: 220 mail.example.test ESMTP Troika
C: MAIL FROM:<s@x.test>
S: 503 5.5.1 Greet first, with EHLO (LHLO for LMTP)
C: RCPT TO:<a@x.test>
S~ 503 5.5.1 *
C: DATA
S~ 503 5.5.1 *
C: NOOP  # may come first, as RSET, HELP, VRFY and EXPN may
S: 250 2.0.0 Still here
C: RSET
S: 250 2.0.0 Reset
C: HELP
S: 214-2.0.0 Commands:
S: 214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH
S: 214 2.0.0 HELP and a command tells more. The rules are in RFC 5321.
C: HELP mail
S: 214-2.0.0 MAIL FROM:<sender> [SIZE=octets] [BODY=7BIT|8BITMIME|BINARYMIME] [SMTPUTF8]
S: 214-2.0.0      [RET=FULL|HDRS] [ENVID=xtext] [AUTH=mailbox]
S: 214 2.0.0 Begins a message. MAIL FROM:<> is for bounces.
C: HELP me
S: 504 5.5.4 There is no help on me; HELP lists topics
C: EHLO
S~ 501 5.5.4 *
C: EHLO not a name
S~ 501 5.5.4 *
C: MAIL FROM:<s@x.test>
S~ 503 *
C: HELO [192.0.2.7]  # §4.1.3
S: 250 mail.example.test greets [192.0.2.7]
C: RCPT TO:<a@x.test>
S: 503 5.5.1 MAIL has to come before RCPT
C: MAIL FROM:<s@x.test> SIZE=1  # extensions are EHLO's
S~ 555 5.5.4 *
C: MAIL FROM:s@x.test
S: 501 5.1.7 The sender is malformed: the address has to stand in angle brackets
C: mail from: <s@x.test>  # a harmless deviation of many mailers
S~ 250 2.1.0 *
C: MAIL FROM:<s@x.test>  # no nesting
S: 503 5.5.1 A message is begun already; RSET drops it
C: RCPT TO:<@hosta.int,@jkl.org:a@x.test>  # §4.1.1.3: the source route is dropped
S: 250 2.1.5 Recipient <a@x.test> noted
C: RCPT TO:<Postmaster>
S: 250 2.1.5 Recipient <postmaster> noted
C: RCPT TO:<>
S~ 501 5.1.3 *
C: DATA now
S: 501 5.5.4 DATA takes no argument
C: RSET now
S: 501 5.5.4 RSET takes no argument
C: QUIT now
S: 501 5.5.4 QUIT takes no argument
C: NOOP now  # §4.1.1.9: ignored
S: 250 2.0.0 Still here
C: SEND FROM:<s@x.test>
S: 502 5.5.1 SEND is obsolete and not provided; use MAIL
C: SOML FROM:<s@x.test>
S~ 502 5.5.1 *
C: SAML FROM:<s@x.test>
S~ 502 5.5.1 *
C: TURN
S~ 502 5.5.1 *
C: ETRN x.test
S: 500 5.5.1 There is no such command; HELP lists them
C: LHLO x.test
S: 500 5.5.1 This is SMTP; greet with EHLO
C:
S~ 500 5.5.1 *
C< \xff\r\n
S: 500 5.5.2 The command is neither ASCII nor UTF-8
C< NOOP \0\r\n
S: 500 5.5.2 The command holds control characters
C< DATA  \r\n
S~ 354 *
C: .
S~ 250 2.0.0 *
W: envelope <s@x.test> to a@x.test postmaster
W: message is 
C: DATA  # the transaction is over
S~ 503 5.5.1 *
C: MAIL FROM:<>  # §4.5.5
S: 250 2.1.0 Sender <> noted
C: EHLO x.test  # §4.1.4: resets
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250 *
C: RCPT TO:<a@x.test>
S~ 503 5.5.1 *
C: QUIT
S~ 221 *
E:
