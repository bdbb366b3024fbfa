# METADATA (RFC 5464), with its examples; special use as an entry (RFC 6154 §5.4).
mailboxes: MyDrafts \Drafts
admin: mailto:postmaster@example.test
administrator: joe@example.test

S~ * OK [CAPABILITY *] *
C: l LOGIN joe secret
S~ l OK [CAPABILITY *] *
C: a SETMETADATA "" (/shared/comment "Shared comment")  # RFC 5464 §4.2
S: a OK SETMETADATA completed
C: a GETMETADATA "" /shared/comment
S: * METADATA "" (/shared/comment "Shared comment")
S: a OK GETMETADATA completed
C: a SETMETADATA INBOX (/private/comment {35}  # §4.3 (where it says 33)
S: + Ready for literal data
C: My new comment across
C: two lines.
C: )
S: a OK SETMETADATA completed
C: a GETMETADATA INBOX /private/comment
S: * METADATA INBOX (/private/comment {35}
S: My new comment across
S: two lines.
S< )\r\n
S: a OK GETMETADATA completed
C: a SETMETADATA INBOX (/private/comment NIL)
S: a OK SETMETADATA completed
C: a SETMETADATA INBOX (/private/comment "My own comment" /shared/comment "This one is for you!")
S: a OK SETMETADATA completed
C: a GETMETADATA "INBOX" (/shared/comment /private/comment)  # §4.2
S: * METADATA INBOX (/shared/comment "This one is for you!" /private/comment "My own comment")
S: a OK GETMETADATA completed
C: a GETMETADATA "INBOX" /private/comment /shared/comment  # §4.4.1, without parentheses
S: * METADATA INBOX (/private/comment "My own comment" /shared/comment "This one is for you!")
S: a OK GETMETADATA completed
C: a GETMETADATA "INBOX" (MAXSIZE 15) (/shared/comment /private/comment)  # §4.2.1: options behind the name, as there
S: * METADATA INBOX (/private/comment "My own comment")
S: a OK [METADATA LONGENTRIES 20] GETMETADATA completed
C: a GETMETADATA (MAXSIZE 3 DEPTH 0) INBOX (/shared/comment)  # and before it, as in §5
S: a OK [METADATA LONGENTRIES 20] GETMETADATA completed
C: a SETMETADATA INBOX (/private/filters/values/small "SMALLER 5000" /private/filters/values/boss "FROM \"boss@example.com\"" /private/filters/values/a/b "")
S: a OK SETMETADATA completed
C: a GETMETADATA "INBOX" (DEPTH 1) (/private/filters/values)  # §4.2.2
S: * METADATA INBOX (/private/filters/values/boss "FROM \"boss@example.com\"" /private/filters/values/small "SMALLER 5000")
S: a OK GETMETADATA completed
C: a GETMETADATA INBOX (DEPTH infinity) /private/filters
S: * METADATA INBOX (/private/filters/values/a/b "" /private/filters/values/boss "FROM \"boss@example.com\"" /private/filters/values/small "SMALLER 5000")
S: a OK GETMETADATA completed
C: a GETMETADATA INBOX (/PRIVATE/Comment /shared/nothing)  # §3.2: case-insensitive; nothing there is NIL
S: * METADATA INBOX (/PRIVATE/Comment "My own comment" /shared/nothing NIL)
S: a OK GETMETADATA completed
C: a GETMETADATA INBOX (DEPTH 1) (/shared/nothing)
S: * METADATA INBOX (/shared/nothing NIL)
S: a OK GETMETADATA completed
C: a GETMETADATA "" (/shared/admin)  # §3.2.1.1
S: * METADATA "" (/shared/admin "mailto:postmaster@example.test")
S: a OK GETMETADATA completed
C: a GETMETADATA "" (DEPTH infinity) (/shared)
S: * METADATA "" (/shared/comment "Shared comment" /shared/admin "mailto:postmaster@example.test")
S: a OK GETMETADATA completed
C: a SETMETADATA "" (/shared/admin "mailto:me@example.test")
S: a NO [NOPERM] /shared/admin is set in the server's configuration
C: a SETMETADATA INBOX (/private/vendor/acme/blob ~{3+}
C< a\0b)\r\n
S: a OK SETMETADATA completed
C: a GETMETADATA INBOX /private/vendor/acme/blob
S< * METADATA INBOX (/private/vendor/acme/blob ~{3}\r\na\0b)\r\n
S: a OK GETMETADATA completed
C: a SETMETADATA none (/private/comment "x")
S: a NO [NONEXISTENT] There is no such mailbox
C: a GETMETADATA none /private/comment
S: a NO [NONEXISTENT] There is no such mailbox
C< a SETMETADATA INBOX (/private/comment {65537+}\r\n\{65537:x})\r\n
S: a NO [METADATA MAXSIZE 65536] A value is too large
C: a SETMETADATA INBOX (/private/a "" /private/b "" /private/c "" /private/d "" /private/e "")
S: a NO [METADATA TOOMANY] There are too many entries
C: a GETMETADATA INBOX (/private/a /private/comment)  # none of them was set
S: * METADATA INBOX (/private/a NIL /private/comment "My own comment")
S: a OK GETMETADATA completed
C: a SETMETADATA INBOX ("/private/a*" "")  # §3.2: BAD
S: a BAD expected the name of an entry at column 22: ""/private/a*" "")"
C: a SETMETADATA INBOX (/private//a "")
S: a BAD expected the name of an entry, such as /private/comment at column 22: "/private//a "")"
C: a SETMETADATA INBOX (/private/a/ "")
S: a BAD expected the name of an entry, such as /private/comment at column 22: "/private/a/ "")"
C: a SETMETADATA INBOX (/private/vendor/acme "")  # §3.2: four components
S: a BAD expected the name of an entry, such as /private/comment at column 22: "/private/vendor/acme "")"
C: a SETMETADATA INBOX (/comment "")
S: a BAD expected the name of an entry, such as /private/comment at column 22: "/comment "")"
C: a SETMETADATA INBOX (/private "")
S: a BAD expected the name of an entry, such as /private/comment at column 22: "/private "")"
C: a GETMETADATA INBOX (DEPTH 2) /private
S: a BAD expected 0, 1 or infinity at column 28: "2) /private"
C: a GETMETADATA INBOX (WIDTH 2) /private
S: a BAD expected MAXSIZE or DEPTH at column 22: "WIDTH 2) /private"
C: a GETMETADATA INBOX ()
S: a BAD expected the name of an entry at column 22: ")"
C: a SETMETADATA INBOX (/private/comment unquoted)
S: a BAD expected a value or NIL at column 39: "unquoted)"
S2~ * OK [CAPABILITY *] *
C2: a LOGIN ann secret
S2~ a OK [CAPABILITY *] *
C2: b SETMETADATA "" (/shared/comment "Mine")  # §3.3: restricted
S2: b NO [NOPERM] Shared entries of the server are set by its administrators
C2: c GETMETADATA "" /shared/comment
S2: * METADATA "" (/shared/comment "Shared comment")
S2: c OK GETMETADATA completed
