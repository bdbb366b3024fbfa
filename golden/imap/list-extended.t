# LIST-EXTENDED, LIST-STATUS, SPECIAL-USE (RFC 5258 §5's hierarchy; RFC 5819; RFC 6154).
mailboxes: Fruit, Fruit/Apple, Fruit/Banana, Tofu, Vegetable, Vegetable/Broccoli, Vegetable/Corn, Sent \Sent
subscribed: INBOX, Fruit/Banana, Fruit/Peach, Vegetable, Vegetable/Broccoli
messages: 2

S~ * OK [CAPABILITY *] *
C: l LOGIN joe secret
S~ l OK [CAPABILITY *] *
C: A02 LIST (SUBSCRIBED) "" "*"  # RFC 5258 §5 example 2
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Banana"
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "Fruit/Peach"
S: * LIST (\HasChildren \Subscribed) "/" "Vegetable"
S: * LIST (\HasNoChildren \Subscribed) "/" "Vegetable/Broccoli"
S: A02 OK LIST completed
C: A03 LIST () "" "%" RETURN (CHILDREN)  # example 3
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "Fruit"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasNoChildren) "/" "Tofu"
S: * LIST (\HasChildren) "/" "Vegetable"
S: A03 OK LIST completed
C: A06 LIST "" "*" RETURN (SUBSCRIBED)  # example 6, without REMOTE
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * LIST (\HasChildren) "/" "Fruit"
S: * LIST (\HasNoChildren) "/" "Fruit/Apple"
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Banana"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasNoChildren) "/" "Tofu"
S: * LIST (\HasChildren \Subscribed) "/" "Vegetable"
S: * LIST (\HasNoChildren \Subscribed) "/" "Vegetable/Broccoli"
S: * LIST (\HasNoChildren) "/" "Vegetable/Corn"
S: A06 OK LIST completed
C: BBB LIST "" ("INBOX" "Tofu" "Vegetable/%")
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren) "/" "Tofu"
S: * LIST (\HasNoChildren) "/" "Vegetable/Broccoli"
S: * LIST (\HasNoChildren) "/" "Vegetable/Corn"
S: BBB OK LIST completed
C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"  # §3.5
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * LIST (\HasChildren) "/" "Fruit" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasChildren \Subscribed) "/" "Vegetable" ("CHILDINFO" ("SUBSCRIBED"))
S: C04 OK LIST completed
C: D LIST (RECURSIVEMATCH) "" "%"  # §3.1: BAD
S: D BAD expected an option such as SUBSCRIBED beside RECURSIVEMATCH at column 8: "(RECURSIVEMATCH) "" "%""
C: E LIST (SPECIAL-USE) "" "*"  # RFC 6154 §2
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: E OK LIST completed
C: F LIST "" "%" RETURN (STATUS (MESSAGES UNSEEN))  # RFC 5819 §2
S: * LIST (\HasNoChildren) "/" INBOX
S: * STATUS INBOX (MESSAGES 2 UNSEEN 2)
S: * LIST (\HasChildren) "/" "Fruit"
S: * STATUS "Fruit" (MESSAGES 0 UNSEEN 0)
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * STATUS "Sent" (MESSAGES 0 UNSEEN 0)
S: * LIST (\HasNoChildren) "/" "Tofu"
S: * STATUS "Tofu" (MESSAGES 0 UNSEEN 0)
S: * LIST (\HasChildren) "/" "Vegetable"
S: * STATUS "Vegetable" (MESSAGES 0 UNSEEN 0)
S: F OK LIST completed
C: G LIST () "" ""  # §3: no special meaning in the extended form
S: G OK LIST completed
C: H LIST (SUBSCRIBED) "" "Fruit/*" RETURN (STATUS (MESSAGES))
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Banana"
S: * STATUS "Fruit/Banana" (MESSAGES 0)
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "Fruit/Peach"
S: H OK LIST completed
C: I LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))  # RFC 5819 §3: not of what is shown for its children
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * STATUS INBOX (MESSAGES 2)
S: * LIST (\HasChildren) "/" "Fruit" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasChildren \Subscribed) "/" "Vegetable" ("CHILDINFO" ("SUBSCRIBED"))
S: * STATUS "Vegetable" (MESSAGES 0)
S: I OK LIST completed
W: rights Tofu l
C: J LIST "" T% RETURN (STATUS (MESSAGES))  # RFC 5819 §2: `l` without `r`
S: * LIST (\Noselect \HasNoChildren) "/" "Tofu"
S: J OK LIST completed
C: K SUBSCRIBE gone/box
S: K OK SUBSCRIBE completed
C: L LIST (SUBSCRIBED) "" g%  # RFC 5258 §3.5: "\NonExistent \HasChildren" where there is no CHILDINFO
S: * LIST (\NonExistent \HasChildren) "/" "gone"
S: L OK LIST completed
C: M LIST (SUBSCRIBED RECURSIVEMATCH) "" g%
S: * LIST (\NonExistent \HasNoChildren) "/" "gone" ("CHILDINFO" ("SUBSCRIBED"))
S: M OK LIST completed
