def main() -> None:
    print("asty")
