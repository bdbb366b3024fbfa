# RFC 8970 §6: the examples A1 to C4. Departures: the texts are this world's and its previews cost nothing, so that of a
# message of ordinary size the lazy ones are there at once; the last message is too large for that.
messages: 12

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * SEARCHRES * PREVIEW *] *
C: a APPEND INBOX {230+}
C< Subject: lorem\r\n\r\nLorem ipsum dolor sit amet, consectetur adipiscing elit. Curabitur aliquam turpis et ante dictum, et pulvinar dui congue. Maecenas hendrerit, lorem non imperdiet pellentesque, nulla ligula nullam. And more text\r\n\r\n
S~ a OK [APPENDUID 1001 13] *
C: a APPEND INBOX {70027+}
C< From: FOO\r\nSubject: l\r\n\r\n\{70000:x}\r\n\r\n
S~ a OK [APPENDUID 1001 14] *
C: A1 CAPABILITY
S~ * CAPABILITY IMAP4rev1 * PREVIEW *
S: A1 OK CAPABILITY completed
C: s SELECT INBOX
S: * 14 EXISTS
S~ * 14 RECENT
S~ * OK [UNSEEN *
S~ * OK [UIDVALIDITY *
S~ * OK [UIDNEXT *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *
S~ * OK [HIGHESTMODSEQ *
S~ * OK [MAILBOXID *
S~ * OK [ANNOTATIONS *
S~ s OK *
C: A2 FETCH 13 (RFC822.SIZE PREVIEW)
S: * 13 FETCH (RFC822.SIZE 230 PREVIEW "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Curabitur aliquam turpis et ante dictum, et pulvinar dui congue. Maecenas hendrerit, lorem non imperdiet pellentesque, nulla ligula nullam. And")
S: A2 OK FETCH completed
C: B1 FETCH 1,14 (UID PREVIEW (LAZY))
S: * 1 FETCH (UID 1 PREVIEW "body 1")
S: * 14 FETCH (UID 14 PREVIEW NIL)
S: B1 OK FETCH completed
C: B2 FETCH 1 (PREVIEW)
S: * 1 FETCH (PREVIEW "body 1")
S: B2 OK FETCH completed
C: C2 SEARCH RETURN (SAVE) OR FROM "A3" FROM "FOO"
C: C3 FETCH $ (UID PREVIEW (LAZY))
S: C2 OK SEARCH completed
S: * 3 FETCH (UID 3 PREVIEW "body 3")
S: * 14 FETCH (UID 14 PREVIEW NIL)
S: C3 OK FETCH completed
C: C4 UID FETCH 14 (PREVIEW)
S~ * 14 FETCH (UID 14 PREVIEW "xxxxxxxxxx*")
S: C4 OK FETCH completed
