# RFC 8440 §3: the examples A01 and A02. Departures: the hierarchy separator is "/", mailboxes come by name, rights in one order and with the
# annotation right "n", bar/baz is the subscribed child.
mailboxes: foo, bar/baz
without: bar
subscribed: INBOX, bar/baz

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * LIST-MYRIGHTS *] *
W: rights foo lrs
C: A01 LIST "" % RETURN (MYRIGHTS)
S: * LIST (\HasNoChildren) "/" INBOX
S: * MYRIGHTS INBOX lrswipkxtencda
S: * LIST (\NonExistent \HasChildren) "/" "bar"
S: * LIST (\HasNoChildren) "/" "foo"
S: * MYRIGHTS "foo" lrs
S: A01 OK LIST completed
C: A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (MYRIGHTS)
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * MYRIGHTS INBOX lrswipkxtencda
S: * LIST (\NonExistent \HasChildren) "/" "bar" ("CHILDINFO" ("SUBSCRIBED"))
S: A02 OK LIST completed
