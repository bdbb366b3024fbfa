# CREATE, DELETE, RENAME, SUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7; RFC 6154 §3; RFC 8474 §4.1).
messages: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b CREATE owatagusiam/  # a final separator is no level (RFC 3501 §6.3.3)
S: b OK [MAILBOXID (F2)] CREATE completed
C: c CREATE owatagusiam/blurdybloop
S: c OK [MAILBOXID (F3)] CREATE completed
C: d CREATE owatagusiam
S: d NO [ALREADYEXISTS] That mailbox exists
C: e CREATE inbox
S: e NO [ALREADYEXISTS] INBOX is always there
C: f CREATE "bad/../name"
S: f NO [CANNOT] a level of the mailbox name is . or ..
C: g CREATE "a*"
S: g NO [CANNOT] the mailbox name holds a wildcard (* or %)
C: h CREATE "with&NUL"
S: h NO [CANNOT] the mailbox name is not correctly encoded (RFC 3501 section 5.1.3) at column 10: ""with&NUL""
C: i CREATE Sent (USE (\Sent))
S: i OK [MAILBOXID (F4)] CREATE completed
C: j CREATE Odd (USE (\Odd))  # RFC 6154 §3
S: j NO [USEATTR] That special use is not known
C: k LIST "" *
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasChildren) "/" "owatagusiam"
S: * LIST (\HasNoChildren) "/" "owatagusiam/blurdybloop"
S: k OK LIST completed
C: l DELETE owatagusiam  # inferiors stay (RFC 3501 §6.3.4)
S: l OK DELETE completed
C: m LIST "" %
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\Noselect \HasChildren) "/" "owatagusiam"
S: m OK LIST completed
C: n DELETE owatagusiam  # \Noselect with inferiors
S: n NO [NONEXISTENT] There is no such mailbox
C: o DELETE owatagusiam/blurdybloop
S: o OK DELETE completed
C: p DELETE INBOX
S: p NO [CANNOT] INBOX can't be deleted
C: q RENAME Sent Archive/Sent
S: q OK RENAME completed
C: r RENAME Archive Old  # inferiors are renamed too (§6.3.5)
S: r OK RENAME completed
C: s RENAME Old Old/Older
S: s NO [CANNOT] A mailbox can't become its own inferior
C: t RENAME INBOX old-mail  # messages move, INBOX stays (§6.3.5)
S: t OK RENAME completed
C: u STATUS old-mail (MESSAGES)
S: * STATUS "old-mail" (MESSAGES 2)
S: u OK STATUS completed
C: v STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: v OK STATUS completed
C: w LIST "" *
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "Old"
S: * LIST (\HasNoChildren \Sent) "/" "Old/Sent"
S: * LIST (\HasNoChildren) "/" "old-mail"
S: w OK LIST completed
C: x RENAME nowhere somewhere
S: x NO [NONEXISTENT] There is no such mailbox
C: y RENAME old-mail Old
S: y NO [ALREADYEXISTS] That mailbox exists
C: z DELETE nowhere
S: z NO [NONEXISTENT] There is no such mailbox
