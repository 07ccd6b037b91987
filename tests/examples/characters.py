"""The next character of a generated text, from the eight before it."""

import torch

import lrsearch


class Network(torch.nn.Module):
    """The model: a small LSTM over embedded characters."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(letters, 8)
        self.cell = torch.nn.LSTM(8, 32, batch_first=True)
        self.last = torch.nn.Linear(32, letters)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(self.embedding(rows))
        return self.last(states[:, -1])


@lrsearch.task
def characters(*, length: int = 80) -> lrsearch.Task:
    text = "".join(f"{number} squared is {number * number}. " for number in range(length))
    letters = sorted(set(text))
    numbers = torch.tensor([letters.index(letter) for letter in text])
    x, y, cut = numbers.unfold(0, 8, 1)[:-1], numbers[8:], len(numbers) * 3 // 4
    train, test = (x[:cut], y[:cut]), (x[cut:], y[cut:])
    return lrsearch.Task(lambda: Network(len(letters)), train, test, loss="cross_entropy", metric="error")
