# The exemption comes while the case is open: what is behind it is cured, the order is withdrawn, and nothing follows.
# It is withdrawn later; what it exempted from is owed again from that day on.

day 0   enrolled
day 45  exempt until day 1000
day 100 exemption withdrawn

expect day 30  opens cip.missing
expect day 30  warned
expect day 44  orders no-new-accounts
expect day 44  restricted
expect day 45  cures cip.missing
expect day 45  withdraws no-new-accounts
expect day 45  pending
expect day 45  limit none
expect day 99  next warned on day 1030
expect day 100  next warned on day 130

expect day 130  opens cip.missing
expect day 130  warned
expect day 130  limit day 160
expect day 144  orders no-new-accounts
expect day 144  restricted
day 145  attests initial
expect day 145  cures cip.missing
expect day 145  withdraws no-new-accounts
expect day 145  good

until day 300
