# RFC 5819 §4: the examples A01 and A02. Departures: the hierarchy separator is "/", there is no mailbox that can't be
# selected (bar is missing), INBOX is selected by nobody, and the numbers are this world's.
mailboxes: foo, foo/baz
without: foo
messages: 17
subscribed: INBOX, foo/baz

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * LIST-STATUS *] *
C: A01 LIST "" % RETURN (STATUS (MESSAGES UNSEEN))
S: * LIST (\HasNoChildren) "/" INBOX
S: * STATUS INBOX (MESSAGES 17 UNSEEN 17)
S: * LIST (\NonExistent \HasChildren) "/" "foo"
S: A01 OK LIST completed
C: A02 LIST (SUBSCRIBED RECURSIVEMATCH)"" % RETURN (STATUS (MESSAGES))
S~ A02 BAD *
C: A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))  # the RFC's own text lacks the space
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * STATUS INBOX (MESSAGES 17)
S: * LIST (\NonExistent \HasChildren) "/" "foo" ("CHILDINFO" ("SUBSCRIBED"))
S: A02 OK LIST completed
