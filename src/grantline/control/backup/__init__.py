"""Backup and restore of everything: the control plane's rows and the lake's files they name."""
