# An attestation is good for 365 days from the moment it was accepted. The next one is forgotten, and comes in the
# restriction; the year after, it is forgotten again, and nobody answers any more.

day 0    enrolled
day 12   attests initial
day 395  attests annual

expect day 12             good
expect day 376 23:59:59   still good

expect day 377  opens cip.stale
expect day 377  warned
expect day 377  limit day 407
expect day 391  orders no-new-accounts
expect day 391  restricted

expect day 395  cures cip.stale
expect day 395  withdraws no-new-accounts
expect day 395  good
expect day 395  next warned on day 760

expect day 760  opens cip.stale
expect day 760  warned
expect day 760  limit day 790
expect day 774  orders no-new-accounts
expect day 774  restricted
expect day 781  orders reseller-account
expect day 781  closing
expect day 789  orders remaining-accounts
expect day 789  terminated

until day 900
