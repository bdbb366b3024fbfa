# RFC 5258 §5, example 9: CHILDINFO whether or not the children match the pattern.
mailboxes: foo2/bar1, foo2/bar2, baz2/bar2, baz2/bar22, baz2/bar222, eps2/mamba, qux2/bar2
without: qux2
subscribed: foo2/bar1, foo2/bar2, baz2/bar2, baz2/bar22, baz2/bar222, eps2, eps2/mamba, qux2/bar2

S~ * OK [CAPABILITY *] *
C: l LOGIN joe secret
S~ l OK [CAPABILITY *] *
C: D02 LIST (SUBSCRIBED) "" "*"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar22"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar222"
S: * LIST (\HasChildren \Subscribed) "/" "eps2"
S: * LIST (\HasNoChildren \Subscribed) "/" "eps2/mamba"
S: * LIST (\HasNoChildren \Subscribed) "/" "foo2/bar1"
S: * LIST (\HasNoChildren \Subscribed) "/" "foo2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "qux2/bar2"
S: D02 OK LIST completed
C: D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar22"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar222"
S: * LIST (\HasChildren \Subscribed) "/" "eps2" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasChildren) "/" "foo2" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasNoChildren \Subscribed) "/" "foo2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "qux2/bar2"
S: D03 OK LIST completed
C: D04 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*"  # CHILDINFO also where the children are listed; §3.5: no other name for its sake
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar22"
S: * LIST (\HasNoChildren \Subscribed) "/" "baz2/bar222"
S: * LIST (\HasChildren \Subscribed) "/" "eps2" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasNoChildren \Subscribed) "/" "eps2/mamba"
S: * LIST (\HasNoChildren \Subscribed) "/" "foo2/bar1"
S: * LIST (\HasNoChildren \Subscribed) "/" "foo2/bar2"
S: * LIST (\HasNoChildren \Subscribed) "/" "qux2/bar2"
S: D04 OK LIST completed
