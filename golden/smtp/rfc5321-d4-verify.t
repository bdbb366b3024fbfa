# RFC 5321 appendix D.4, and §7.3: VRFY and EXPN are for users who have logged in.
hostname: foo.com
boxes: crispin@foo.com anna@foo.com annabel@foo.com почта@foo.com
users: tim:secret
verify: logged-in
plaintext_auth: yes

S: 220 foo.com ESMTP Troika
C: VRFY crispin  # §4.1.4: may come before EHLO
S: 252 2.5.0 Whether it exists is not told; mail to it will be tried
C: EXPN everybody
S: 550 5.7.1 Who is on a list is not told
C: VRFY
S: 501 5.5.4 The syntax is VRFY user-or-mailbox
C: EHLO bar.com
S~ 250-foo.com greets bar.com
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-HELP
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 235 2.7.0 Logged in
C: EHLO bar.com  # §3.5.2: EXPN is listed where it is supported
S~ 250-foo.com greets bar.com
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-HELP
S: 250-EXPN
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
C: VRFY Crispin
S: 550 5.1.1 There is nobody of that name
C: VRFY crispin
S: 250 2.1.5 Mark Crispin <crispin@foo.com>
C: VRFY <crispin@foo.com>
S: 250 2.1.5 Mark Crispin <crispin@foo.com>
C: VRFY anna  # §3.5.1: ambiguous
S: 553-5.1.4 Which one is meant?
S: 553-5.1.4 <anna@foo.com>
S: 553 5.1.4 <annabel@foo.com>
C: VRFY почта  # RFC 6531 §3.7.4.2: no UTF-8 unless asked for
S~ 252 2.6.8 *
C: VRFY почта SMTPUTF8
S: 250 2.1.5 <почта@foo.com>
C: EXPN everybody SMTPUTF8
S: 250-2.1.5 Mark Crispin <crispin@foo.com>
S: 250-2.1.5 <anna@foo.com>
S: 250-2.1.5 <annabel@foo.com>
S: 250 2.1.5 <почта@foo.com>
C: EXPN nothing
S: 550 5.1.1 There is nobody of that name
