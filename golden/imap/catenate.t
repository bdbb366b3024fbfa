# CATENATE (RFC 4469); REPLACE with it (RFC 8508 §4.2).
world: mime
mailboxes: Drafts
message_bytes_max: 1000
chunk: 7

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * CATENATE URL-PARTIAL URLAUTH *] *
C: A003 APPEND Drafts (\Seen \Draft $MDNSent) CATENATE (URL "/INBOX;UIDVALIDITY=1001/;UID=1/;section=HEADER" TEXT {7+}  # appendix A, example 1
C< \r\n--b\r\n
C:  URL "/INBOX;UIDVALIDITY=1001/;UID=1/;section=2.MIME" URL "/INBOX;UIDVALIDITY=1001/;UID=1/;section=2" TEXT {9}
S: + Ready for literal data
C< \r\n--b--\r\n
C: )
S: A003 OK [APPENDUID 1002 1] APPEND completed
C: b SELECT Drafts
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $MDNSent)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $MDNSent \*)] Flags permitted
S~ * OK [HIGHESTMODSEQ *] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])  # octets as they are
S: * 1 FETCH (FLAGS (\Seen \Draft \Recent $MDNSent) BODY[HEADER.FIELDS (SUBJECT)] {18}
S: Subject: parts
S: 
S:  BODY[TEXT] {99}
S: 
S: --b
S: Content-Type: message/rfc822
S: 
S: From: in@example.test
S: Subject: inner
S: 
S: inner body
S: --b--
S: )
S: c OK FETCH completed
C: A011 UID REPLACE 1 Drafts CATENATE (TEXT {14+}  # RFC 8508 §4.2
C< To: x@y.test\r\n
C:  URL "/Drafts/;UID=1/;PARTIAL=0.32" TEXT {6+}
C< \r\n\r\nhi
C: )
S: * OK [APPENDUID 1002 2] Replacement message ready
S: * 1 EXPUNGE
S: * 1 EXISTS
S: * 1 RECENT
S: A011 OK REPLACE completed
C: d UID FETCH 2 BODY.PEEK[]
S: * 1 FETCH (UID 2 BODY[] {52}
S: To: x@y.test
S: From: Fred <fred@example.test>
S: 
S: 
S: hi)
S: d OK FETCH completed
C: e APPEND Drafts CATENATE (URL "imap://joe@mail.example.test/INBOX/;UID=1/;SECTION=2.1") CATENATE (URL "imap://joe@example.test/INBOX/;UID=1/;SECTION=1" TEXT {2+}  # MULTIAPPEND; URLs of this server and user
C< \r\n
C: ) {1+}
C< x\r\n
S: * 4 EXISTS
S: * 4 RECENT
S: e OK [APPENDUID 1002 3:5] APPEND completed
C: f UID FETCH 3:4 BODY.PEEK[]
S: * 2 FETCH (UID 3 BODY[] {10}
S: inner body)
S: * 3 FETCH (UID 4 BODY[] {7}
S: first
S: )
S: f OK FETCH completed
C: g APPEND Drafts CATENATE (TEXT {1+}  # appendix A, example 4; whatever is wrong with a URL
C: x URL "/INBOX;UIDVALIDITY=1001/;UID=113330/;section=1.5.9")
S: g NO [BADURL /INBOX;UIDVALIDITY=1001/;UID=113330/;section=1.5.9] There is no such message
C: h APPEND Drafts CATENATE (URL "/INBOX;UIDVALIDITY=1001/;UID=1/;section=1.5.9")
S: h NO [BADURL /INBOX;UIDVALIDITY=1001/;UID=1/;section=1.5.9] There is no such part
C: i APPEND Drafts CATENATE (URL "/INBOX;UIDVALIDITY=1000/;UID=1")
S: i NO [BADURL /INBOX;UIDVALIDITY=1000/;UID=1] There is no such message
C: j APPEND Drafts CATENATE (URL "/INBOX;UID=1" URL "/second")
S: j NO [BADURL /INBOX;UID=1] it names no message
C: k APPEND Drafts CATENATE (URL ";UID=1")  # RFC 5092 §7.2
S: k NO [BADURL ;UID=1] neither imap:// nor a path that begins with a slash
C: l APPEND Drafts CATENATE (URL "imap://joe@elsewhere.test/INBOX/;UID=1")
S: l NO [BADURL imap://joe@elsewhere.test/INBOX/;UID=1] It is of another server or user
C: m APPEND Drafts CATENATE (URL "imap://ann@mail.example.test/INBOX/;UID=1")
S: m NO [BADURL imap://ann@mail.example.test/INBOX/;UID=1] It is of another server or user
C: n APPEND Drafts CATENATE (URL "/INBOX/;UID=1;URLAUTH=anonymous")
S: n NO [BADURL /INBOX/;UID=1;URLAUTH=anonymous] An authorised URL is of use to URLFETCH only
C: p APPEND Drafts CATENATE (URL {10+}
C< a]b\r\nc dé
C: )
S: p NO [BADURL a%5Db%0D%0Ac%20d%C3%A9] neither imap:// nor a path that begins with a slash
C: q APPEND nowhere CATENATE (TEXT {1+}
C: x)
S: q NO [TRYCREATE] There is no such mailbox
C: r APPEND Drafts CATENATE ()
S~ r BAD *
C: s APPEND Drafts CATENATE (TEXT "no literal")
S~ s BAD expected a literal *
C: t APPEND Drafts CATENATE (TEXT {0+}
C: )
S: t NO [CANNOT] An empty message is no message
C: u APPEND Drafts CATENATE (URL "/INBOX/;UID=1" URL "/INBOX/;UID=1" URL "/INBOX/;UID=1" URL "/INBOX/;UID=1")  # §4.2
S: u NO [TOOBIG] The message is larger than this server takes
C: v APPEND Drafts CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1")
S: v NO [TOOBIG] The message is larger than this server takes
C: w APPEND Drafts CATENATE (UTF8 (~{5+}  # RFC 6855 §4
C< a:b\r\n
C: ) TEXT ~{3+}
C< \r\nx
C: )
S: * 5 EXISTS
S: * 5 RECENT
S: w OK [APPENDUID 1002 6] APPEND completed
W: corrupt INBOX 1
C: x APPEND Drafts CATENATE (URL "/INBOX/;UID=1/;SECTION=1")
S: x NO [CORRUPTION] damaged
C: z UID FETCH 6 BODY.PEEK[]
S: * 5 FETCH (UID 6 BODY[] {8}
S: a:b
S: 
S: x)
S: z OK FETCH completed
