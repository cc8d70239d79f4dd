"""What the Schema Registry knows: Adobe's library, and the rules of an organisation's resources."""
