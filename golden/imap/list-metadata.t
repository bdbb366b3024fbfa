# LIST-METADATA (RFC 9590), with its examples.
mailboxes: foo, foo/below, bar, bar/below
without: bar
subscribed: INBOX, foo/below

S~ * OK [CAPABILITY *] *
C: l LOGIN joe secret
S~ l OK [CAPABILITY *] *
C: a SETMETADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: a OK SETMETADATA completed
C: A01 LIST "" % RETURN (METADATA ("/shared/vendor/cmu/cyrus-imapd/color"))  # §4: bar is no mailbox, foo has no color
S: * LIST (\HasNoChildren) "/" INBOX
S: * METADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: * LIST (\NonExistent \HasChildren) "/" "bar"
S: * LIST (\HasChildren) "/" "foo"
S: * METADATA "foo" (/shared/vendor/cmu/cyrus-imapd/color NIL)
S: A01 OK LIST completed
C: A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (METADATA ("/shared/vendor/cmu/cyrus-imapd/color"))
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * METADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: * LIST (\HasChildren) "/" "foo" ("CHILDINFO" ("SUBSCRIBED"))
S: A02 OK LIST completed
C: A03 LIST "" INBOX RETURN (STATUS (MESSAGES) METADATA (/shared/comment /private/comment))
S: * LIST (\HasNoChildren) "/" INBOX
S: * STATUS INBOX (MESSAGES 0)
S: * METADATA INBOX (/shared/comment NIL /private/comment NIL)
S: A03 OK LIST completed
C: A04 LIST "" INBOX RETURN (METADATA ())
S: A04 BAD expected the name of an entry at column 37: "))"
