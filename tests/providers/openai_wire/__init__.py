"""What speaks OpenAI's wire, without anybody at its other end."""
