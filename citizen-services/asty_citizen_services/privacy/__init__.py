"""What the GDPR asks for: keeping no longer than the law says, giving citizens what is held of them, erasing what may be erased."""
