"""What members are told without asking: that something needs a person, by e-mail and webhook, once."""
