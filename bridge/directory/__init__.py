"""Who there is: users, lines, groups, members and their logins (pure)."""
