# RFC 8508 §3.3, §3.4: the examples A003 and A004. Departures: the draft is the fourth message of a mailbox of four here, so
# that its numbers and those of APPENDUID are this world's; the literals are as long as their text; the EXPUNGE comes first, for the number that EXISTS tells is right then.
mailboxes: Drafts
messages: 4

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * REPLACE *] *
C: b SELECT INBOX
S~ * 4 EXISTS
S~ * 4 RECENT
S~ * OK [UNSEEN *
S~ * OK [UIDVALIDITY *
S~ * OK [UIDNEXT *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *
S~ * OK [HIGHESTMODSEQ *
S~ * OK [MAILBOXID *
S~ * OK [ANNOTATIONS *
S~ b OK *
C: A003 REPLACE 4 INBOX (\Seen \Draft) {310}
S: + Ready for literal data
C: Date: Thu, 1 Jan 2015 00:05:00 -0500 (EST)
C: From: Fritz Schmidt <fritz.ze@example.org>
C: Subject: happy new year !!
C: To: miss.mitzy@example.org
C: Message-Id: <B238822388-0100000@example.org>
C: MIME-Version: 1.0
C: Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
C: 
C: Just saw the best fireworks show. Wish you were here.
C: 
S: * OK [APPENDUID 1001 5] Replacement message ready
S: * 4 EXPUNGE
S: * 4 EXISTS
S: * 4 RECENT
S: A003 OK REPLACE completed
C: A004 UID REPLACE 5 Drafts (\Seen \Draft) {348}
S: + Ready for literal data
C: Date: Thu, 1 Jan 2015 00:06:00 -0500 (EST)
C: From: Fritz Schmidt <fritz.ze@example.org>
C: Subject: happy new year !!
C: To: miss.mitzy@example.org
C: Message-Id: <B238822389-0100000@example.org>
C: MIME-Version: 1.0
C: Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
C: 
C: Just saw the best fireworks show. Wish you were here.
C: Hopefully next year you can join us.
C: 
S: * OK [APPENDUID 1002 1] Replacement message ready
S: * 4 EXPUNGE
S: A004 OK REPLACE completed
