# An exemption is extended before it ends: nothing falls due in between. The gateway is down when it ends.

day 0    enrolled
day 5    exempt until day 100
day 90   exempt until day 200
day 195  gateway down
day 205  gateway up

expect day 0    still pending
expect day 100  still pending
expect day 150  next warned on day 230
expect day 206  still pending
day 220  attests initial
expect day 220  good

until day 300
