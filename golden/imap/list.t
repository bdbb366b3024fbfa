# LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; CHILDREN, SPECIAL-USE).
mailboxes: Fruit/Apple, Fruit/Banana, Sent \Sent, Work/2023/May, Отчёты
without: Work
subscribed: INBOX, Fruit/Banana, Old/Letters

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b LIST "" ""  # the separator
S: * LIST (\Noselect) "/" ""
S: b OK LIST completed
C: c LIST "" *
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "Fruit"
S: * LIST (\HasNoChildren) "/" "Fruit/Apple"
S: * LIST (\HasNoChildren) "/" "Fruit/Banana"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasChildren) "/" "Work/2023"
S: * LIST (\HasNoChildren) "/" "Work/2023/May"
S: * LIST (\HasNoChildren) "/" "&BB4EQgRHBFEEQgRL-"
S: c OK LIST completed
C: d LIST "" %  # levels that are no mailboxes (RFC 3501 §6.3.8)
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "Fruit"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\Noselect \HasChildren) "/" "Work"
S: * LIST (\HasNoChildren) "/" "&BB4EQgRHBFEEQgRL-"
S: d OK LIST completed
C: e LIST "Work/" %
S: * LIST (\HasChildren) "/" "Work/2023"
S: e OK LIST completed
C: f LIST "" Work
S: f OK LIST completed
C: g LIST "" inbox  # INBOX in any case
S: * LIST (\HasNoChildren) "/" INBOX
S: g OK LIST completed
C: h LIST "" "Fr*na"
S: * LIST (\HasNoChildren) "/" "Fruit/Banana"
S: h OK LIST completed
C: i LSUB "" *  # subscriptions outlive their mailboxes
S: * LSUB () "/" INBOX
S: * LSUB () "/" "Fruit/Banana"
S: * LSUB () "/" "Old/Letters"
S: i OK LSUB completed
C: j LSUB "" %  # RFC 3501 §6.3.9: foo for foo/bar, with \Noselect
S: * LSUB () "/" INBOX
S: * LSUB (\Noselect) "/" "Fruit"
S: * LSUB (\Noselect) "/" "Old"
S: j OK LSUB completed
C: k LSUB "Fruit/" %
S: * LSUB () "/" "Fruit/Banana"
S: k OK LSUB completed
C: l SUBSCRIBE Work/2023
S: l OK SUBSCRIBE completed
C: m UNSUBSCRIBE Old/Letters
S: m OK UNSUBSCRIBE completed
C: n LSUB "" *
S: * LSUB () "/" INBOX
S: * LSUB () "/" "Fruit/Banana"
S: * LSUB () "/" "Work/2023"
S: n OK LSUB completed
C: o LIST "" "*****************************************************%*****************a"  # bounded time
S: * LIST (\HasNoChildren) "/" "Fruit/Banana"
S: o OK LIST completed
C: p LIST "" &BB4EQgRHBFEEQgRL-
S: * LIST (\HasNoChildren) "/" "&BB4EQgRHBFEEQgRL-"
S: p OK LIST completed
